-- CreateEnum
CREATE TYPE "Shift" AS ENUM ('EARLY', 'LATE');

-- CreateTable
CREATE TABLE "Duty" (
    "person" UUID NOT NULL,
    "day" DATE NOT NULL,
    "shift" "Shift" NOT NULL,
    "remark" TEXT,

    CONSTRAINT "duty_key" PRIMARY KEY ("person","day","shift")
);
