-- CreateTable
CREATE TABLE "Braces" (
    "id" SERIAL NOT NULL,
    "shape" JSONB NOT NULL DEFAULT '{}',
    "other" JSONB NOT NULL DEFAULT '[{"a": "}"}]',
    "label" TEXT NOT NULL DEFAULT '} @id @unique model X {',

    CONSTRAINT "Braces_pkey" PRIMARY KEY ("id")
);
