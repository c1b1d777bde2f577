-- CreateTable
CREATE TABLE "Event" (
    "id" SERIAL NOT NULL,
    "data" JSONB NOT NULL,
    "metadata" TEXT NOT NULL,
    "event_type" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "changed_fields" TEXT NOT NULL,
    "previousName" TEXT NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Event_pkey" PRIMARY KEY ("id")
);
