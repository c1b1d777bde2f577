-- CreateEnum
CREATE TYPE "mood of day" AS ENUM ('in good spirits', 'in "bad" mood', 'SO_SO');

-- CreateTable
CREATE TABLE "Diary" (
    "id" SERIAL NOT NULL,
    "mood" "mood of day" NOT NULL,
    "last" "mood of day",

    CONSTRAINT "Diary_pkey" PRIMARY KEY ("id")
);
