/** Who this API server is among several, as metrics tell them apart. */
import { hostname } from 'node:os'

export const serverId = `apiserver-${hostname()}`
