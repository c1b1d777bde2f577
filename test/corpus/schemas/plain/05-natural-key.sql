-- CreateTable
CREATE TABLE "Country" (
    "code" VARCHAR(40) NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "Country_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "City" (
    "id" SERIAL NOT NULL,
    "country" VARCHAR(40) NOT NULL,
    "name" TEXT NOT NULL,

    CONSTRAINT "City_pkey" PRIMARY KEY ("id")
);

-- AddForeignKey
ALTER TABLE "City" ADD CONSTRAINT "City_country_fkey" FOREIGN KEY ("country") REFERENCES "Country"("code") ON DELETE RESTRICT ON UPDATE CASCADE;
