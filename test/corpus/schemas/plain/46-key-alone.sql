-- CreateTable
CREATE TABLE "Marker" (
    "id" SERIAL NOT NULL,

    CONSTRAINT "Marker_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Presence" (
    "room" TEXT NOT NULL,
    "seat" TEXT NOT NULL,

    CONSTRAINT "Presence_pkey" PRIMARY KEY ("room","seat")
);
