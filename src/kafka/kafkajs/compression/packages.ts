/*
 * The codecs that are packages, loaded when the first batch asks for one. Two of them are binaries: where one is missing,
 * or has no build for the platform, only such batches cannot be read.
 */
import { UserError } from '../../../shared/lifecycle';
/* eslint-disable typescript/no-require-imports */

export const snappyPackage = (): typeof import('snappy') =>
  installed('snappy', () => require('snappy') as typeof import('snappy'));

export const lz4Package = (): typeof import('lz4-napi') =>
  installed('lz4-napi', () => require('lz4-napi') as typeof import('lz4-napi'));

export const fzstdPackage = (): typeof import('fzstd') => require('fzstd') as typeof import('fzstd');

/** @throws UserError where the package, which is optional, is not installed. */
function installed<T>(name: string, load: () => T): T {
  try {
    return load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    throw new UserError(`Messages are compressed by ${name}, which is not installed: npm install ${name}`, {
      cause: error,
    });
  }
}
