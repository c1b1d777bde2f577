-- CreateTable
CREATE TABLE "Kept" (
    "id" SERIAL NOT NULL,
    "seen" TEXT NOT NULL,
    "unseen" TEXT,

    CONSTRAINT "Kept_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Unkept" (
    "id" INTEGER NOT NULL,

    CONSTRAINT "Unkept_pkey" PRIMARY KEY ("id")
);
