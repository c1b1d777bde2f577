-- CreateTable
CREATE TABLE "order" (
    "select" SERIAL NOT NULL,
    "Where Clause" TEXT NOT NULL,
    "group" INTEGER NOT NULL,
    "it's $1 -- %s" TEXT,

    CONSTRAINT "order_pkey" PRIMARY KEY ("select")
);
