-- CreateTable
CREATE TABLE "Place" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,
    "spot" point,
    "search" tsvector,

    CONSTRAINT "Place_pkey" PRIMARY KEY ("id")
);
