-- CreateTable
CREATE TABLE "NativeJson" (
    "id" SERIAL NOT NULL,
    "binary" JSONB NOT NULL,
    "plain" JSON NOT NULL,
    "maybe" JSONB,

    CONSTRAINT "NativeJson_pkey" PRIMARY KEY ("id")
);
