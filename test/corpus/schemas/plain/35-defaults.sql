-- CreateTable
CREATE TABLE "Defaults" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "nr" SERIAL NOT NULL,
    "token" TEXT NOT NULL,
    "stamp" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "touched" TIMESTAMP(3) NOT NULL,
    "greeting" TEXT NOT NULL DEFAULT 'it''s "me" \ %20',
    "level" INTEGER NOT NULL DEFAULT -3,

    CONSTRAINT "Defaults_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Defaults_token_key" ON "Defaults"("token");
