-- CreateTable
CREATE TABLE "Employee" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "bossId" INTEGER,

    CONSTRAINT "Employee_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Employee" ADD CONSTRAINT "Employee_bossId_fkey" FOREIGN KEY ("bossId") REFERENCES "Employee"("id") ON DELETE SET NULL ON UPDATE CASCADE;
