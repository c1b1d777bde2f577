-- CreateTable
CREATE TABLE "OrderItem" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "OrderItem_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Order_Item" (
    "id" SERIAL NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Order_Item_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Twins" (
    "id" SERIAL NOT NULL,
    "userId" INTEGER NOT NULL,
    "user id" INTEGER NOT NULL,

    CONSTRAINT "Twins_pkey" PRIMARY KEY ("id")
);
