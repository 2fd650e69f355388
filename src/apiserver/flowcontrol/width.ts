/** How many seats a request takes, and what it leaves behind. */
import type { RequestInfo } from '../http/request.ts'

/** How many objects a resource has, and how many watch it. */
export interface Load { readonly objects: number; readonly watchers: number }

export interface Width {
  readonly seats: number
  /** How many seats stay taken, and for how long, when the request is done. */
  readonly after: { readonly seats: number; readonly ms: number } | undefined
}

/** No request takes more, and none more than this part of what its level has. */
const most = 10
const part = 0.15
const objectsPerSeat = 100
const watchersPerSeat = 10
/** What sending an event to one seat's worth of watchers takes, in milliseconds. */
const sending = 1

const one: Width = { seats: 1, after: undefined }
const writes = new Set(['create', 'update', 'patch', 'delete'])

/**
 * The width of a request on a resource of that load, in a level with so many seats. Lists and the beginning of watches are as wide as
 * they have objects to send; writes take one seat, and for a moment more when others watch what they change.
 */
export function widthOf(info: RequestInfo, query: URLSearchParams, nominal: number, load: (info: RequestInfo) => Load | undefined): Width {
  if (!info.isResourceRequest || info.verb === 'get') return one
  const limit = Math.max(1, Math.min(most, Math.floor(nominal * part)))
  if (info.verb === 'list' || info.verb === 'deletecollection' || (info.verb === 'watch' && sendsList(query))) {
    if (info.name !== '') return one
    const objects = load(info)?.objects ?? 0
    // A selector makes the server look at everything, whatever the limit is.
    const wanted = query.has('labelSelector') || query.has('fieldSelector') ? 0 : Number(query.get('limit') ?? 0)
    return { seats: Math.max(1, Math.min(limit, Math.ceil((wanted > 0 ? Math.min(wanted, objects) : objects) / objectsPerSeat))), after: undefined }
  }
  if (!writes.has(info.verb)) return one
  const watchers = load(info)?.watchers ?? 0
  if (watchers < watchersPerSeat) return one
  const wide = Math.ceil(watchers / watchersPerSeat)
  const seats = Math.min(limit, wide)
  return { seats: 1, after: { seats, ms: (sending * wide) / seats } }
}

/** A watch that begins with all objects: at revision 0, at none, or as a list in a watch. */
const sendsList = (query: URLSearchParams): boolean => query.get('sendInitialEvents') === 'true' || ['', '0', null].includes(query.get('resourceVersion'))
