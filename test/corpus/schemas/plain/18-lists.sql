-- CreateEnum
CREATE TYPE "Color" AS ENUM ('red', 'BLUE');

-- CreateTable
CREATE TABLE "Lists" (
    "id" SERIAL NOT NULL,
    "texts" TEXT[],
    "ints" INTEGER[],
    "bigs" BIGINT[],
    "floats" DOUBLE PRECISION[],
    "decimals" DECIMAL(65,30)[],
    "flags" BOOLEAN[],
    "times" TIMESTAMP(3)[],
    "jsons" JSONB[],
    "colors" "Color"[],
    "defaults" TEXT[] DEFAULT ARRAY['a', 'b']::TEXT[],

    CONSTRAINT "Lists_pkey" PRIMARY KEY ("id")
);
