import type { RequestHandler } from 'express';

/** Answers hold patients' data: nobody may cache them, guess their type or show them in a frame. */
export const securityHeaders: RequestHandler = (_request, response, next) => {
  response.set({
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
  next();
};
