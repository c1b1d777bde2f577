-- CreateTable
CREATE TABLE "Tenancy" (
    "org" TEXT NOT NULL,
    "unit" INTEGER NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Tenancy_pkey" PRIMARY KEY ("org","unit")
);

-- CreateTable
CREATE TABLE "Desk" (
    "id" SERIAL NOT NULL,
    "label" TEXT NOT NULL,
    "org" TEXT NOT NULL,
    "unit" INTEGER NOT NULL,

    CONSTRAINT "Desk_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "Desk" ADD CONSTRAINT "Desk_org_unit_fkey" FOREIGN KEY ("org", "unit") REFERENCES "Tenancy"("org", "unit") ON DELETE RESTRICT ON UPDATE CASCADE;
