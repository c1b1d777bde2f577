-- CreateTable
CREATE TABLE "Base" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Base_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Extra" (
    "baseId" INTEGER NOT NULL,
    "note" TEXT,

    CONSTRAINT "Extra_pkey" PRIMARY KEY ("baseId")
);

-- AddForeignKey
ALTER TABLE "Extra" ADD CONSTRAINT "Extra_baseId_fkey" FOREIGN KEY ("baseId") REFERENCES "Base"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
