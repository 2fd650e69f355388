/** The API server, put together: cache over the store, registry over the cache, edges around it, sockets in front. */
export type * from './options.ts'
