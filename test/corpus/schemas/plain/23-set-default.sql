-- CreateTable
CREATE TABLE "Status" (
    "code" INTEGER NOT NULL,
    "label" TEXT NOT NULL,

    CONSTRAINT "Status_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "Parcel" (
    "id" SERIAL NOT NULL,
    "label" TEXT NOT NULL,
    "code" INTEGER NOT NULL DEFAULT 1,

    CONSTRAINT "Parcel_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Parcel" ADD CONSTRAINT "Parcel_code_fkey" FOREIGN KEY ("code") REFERENCES "Status"("code") ON DELETE SET DEFAULT ON UPDATE CASCADE;
