-- CreateTable
CREATE TABLE "Ledger" (
    "id" BIGSERIAL NOT NULL,
    "balance" BIGINT NOT NULL,

    CONSTRAINT "Ledger_pkey" PRIMARY KEY ("id")
);
