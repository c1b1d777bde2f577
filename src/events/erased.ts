/** What stands in the place of a person's name, address or number that has been erased. */
export const erased = '[erased]';
