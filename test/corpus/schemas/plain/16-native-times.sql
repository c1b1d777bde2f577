-- CreateTable
CREATE TABLE "NativeTimes" (
    "id" SERIAL NOT NULL,
    "local" TIMESTAMP(3) NOT NULL,
    "micro" TIMESTAMP(6) NOT NULL,
    "zoned" TIMESTAMPTZ(3) NOT NULL,
    "fine" TIMESTAMPTZ(6) NOT NULL,
    "day" DATE NOT NULL,
    "clock" TIME(3) NOT NULL,
    "zclok" TIMETZ(3) NOT NULL,

    CONSTRAINT "NativeTimes_pkey" PRIMARY KEY ("id")
);
