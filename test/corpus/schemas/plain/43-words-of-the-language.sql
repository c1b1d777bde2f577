-- CreateTable
CREATE TABLE "user" (
    "id" SERIAL NOT NULL,
    "class" TEXT NOT NULL,
    "delete" INTEGER NOT NULL,

    CONSTRAINT "user_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Object" (
    "id" SERIAL NOT NULL,
    "constructor" TEXT NOT NULL,
    "toString" TEXT NOT NULL,
    "hasOwnProperty" INTEGER NOT NULL,

    CONSTRAINT "Object_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Date" (
    "id" SERIAL NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "Date_pkey" PRIMARY KEY ("id")
);
