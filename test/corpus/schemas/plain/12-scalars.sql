-- CreateTable
CREATE TABLE "Scalars" (
    "id" SERIAL NOT NULL,
    "text" TEXT NOT NULL,
    "yes" BOOLEAN NOT NULL,
    "int" INTEGER NOT NULL,
    "big" BIGINT NOT NULL,
    "float" DOUBLE PRECISION NOT NULL,
    "decimal" DECIMAL(65,30) NOT NULL,
    "at" TIMESTAMP(3) NOT NULL,
    "json" JSONB NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "Scalars_pkey" PRIMARY KEY ("id")
);
