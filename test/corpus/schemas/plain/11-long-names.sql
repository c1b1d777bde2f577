-- CreateTable
CREATE TABLE "table_with_a_name_that_is_exactly_as_long_as_postgres_keeps_it" (
    "id" SERIAL NOT NULL,
    "column_with_a_name_that_is_exactly_as_long_as_postgres_keeps_it" TEXT NOT NULL,

    CONSTRAINT "table_with_a_name_that_is_exactly_as_long_as_postgres_keep_pkey" PRIMARY KEY ("id")
);
