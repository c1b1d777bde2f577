-- CreateTable
CREATE TABLE "NativeNumbers" (
    "id" SERIAL NOT NULL,
    "small" SMALLINT NOT NULL,
    "oid" OID NOT NULL,
    "real" REAL NOT NULL,
    "exact" DECIMAL(20,6) NOT NULL,
    "money" MONEY NOT NULL,

    CONSTRAINT "NativeNumbers_pkey" PRIMARY KEY ("id")
);
