/** For `becomes: { field, value: notNull }`: the field has a value now and had none before, as `deletedAt` of a soft delete. */
export const notNull: unique symbol = Symbol.for('signalbox:notNull');
