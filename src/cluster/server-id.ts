/** The identity of this API server among several, as metrics tell them apart. */
import { hostname } from 'node:os'

export const serverId = `apiserver-${hostname()}`
