-- CreateTable
CREATE TABLE "Ticket" (
    "id" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "note" TEXT,

    CONSTRAINT "Ticket_pkey" PRIMARY KEY ("id")
);
