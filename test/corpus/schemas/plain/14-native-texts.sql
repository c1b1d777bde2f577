-- CreateTable
CREATE TABLE "NativeTexts" (
    "id" SERIAL NOT NULL,
    "char" CHAR(12) NOT NULL,
    "vchar" VARCHAR(20) NOT NULL,
    "plain" TEXT NOT NULL,
    "xml" XML NOT NULL,
    "inet" INET NOT NULL,
    "bits" BIT(3) NOT NULL,
    "vbits" VARBIT(8) NOT NULL,
    "uuid" UUID NOT NULL,

    CONSTRAINT "NativeTexts_pkey" PRIMARY KEY ("id")
);
