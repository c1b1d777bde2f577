-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "sales";

-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "stock room";

-- CreateEnum
CREATE TYPE "stock room"."StockKind" AS ENUM ('fresh one', 'DRY');

-- CreateTable
CREATE TABLE "sales"."orders" (
    "id" SERIAL NOT NULL,
    "note" TEXT NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stock room"."orders" (
    "id" SERIAL NOT NULL,
    "note" TEXT NOT NULL,
    "level" "stock room"."StockKind" NOT NULL,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);
