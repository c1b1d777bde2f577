/*
 * The codecs that are packages, loaded when the first batch asks for one: two of them are binaries, and where there is
 * none for the platform, only such batches cannot be read.
 */
/* eslint-disable typescript/no-require-imports */

export const snappyPackage = (): typeof import('snappy') => require('snappy') as typeof import('snappy');

export const lz4Package = (): typeof import('lz4-napi') => require('lz4-napi') as typeof import('lz4-napi');

export const fzstdPackage = (): typeof import('fzstd') => require('fzstd') as typeof import('fzstd');
