-- CreateTable
CREATE TABLE "Maybes" (
    "id" SERIAL NOT NULL,
    "text" TEXT,
    "yes" BOOLEAN,
    "int" INTEGER,
    "big" BIGINT,
    "float" DOUBLE PRECISION,
    "decimal" DECIMAL(65,30),
    "at" TIMESTAMP(3),
    "json" JSONB,
    "bytes" BYTEA,

    CONSTRAINT "Maybes_pkey" PRIMARY KEY ("id")
);
