-- CreateTable
CREATE TABLE "Invoice" (
    "tenant" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "total" DECIMAL(65,30) NOT NULL,
    "paid" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "Invoice_pkey" PRIMARY KEY ("tenant","number")
);
