/* `signalbox/express`: the context of a request, in one line. */

export { requestContext, type RequestContextOptions } from '../express/requestContext';
