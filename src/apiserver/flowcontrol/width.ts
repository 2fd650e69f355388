/** How many seats a request takes, and how many stay taken after it. */
import type { RequestInfo } from '../http/request.ts'

/** A resource's number of objects and of watchers. */
export interface Load { readonly objects: number; readonly watchers: number }

export interface Width {
  readonly seats: number
  /** How many seats stay taken after the request, and for how long. */
  readonly after: { readonly seats: number; readonly ms: number } | undefined
}

/** The most seats of a request, also as a fraction of its level's. */
const most = 10
const part = 0.15
const objectsPerSeat = 100
const watchersPerSeat = 10
/** The estimated time to send an event to one seat's worth of watchers, in milliseconds. */
const sending = 1

const one: Width = { seats: 1, after: undefined }
const writes = new Set(['create', 'update', 'patch', 'delete'])

/**
 * The width of a request, by the load of its resource and the seats of its level. Lists and initial lists of watches are as wide as
 * their number of objects; writes take one seat, and afterwards more for a moment if there are watchers.
 */
export function widthOf(info: RequestInfo, query: URLSearchParams, nominal: number, load: (info: RequestInfo) => Load | undefined): Width {
  if (!info.isResourceRequest || info.verb === 'get') return one
  const limit = Math.max(1, Math.min(most, Math.floor(nominal * part)))
  if (info.verb === 'list' || info.verb === 'deletecollection' || (info.verb === 'watch' && sendsList(query))) {
    if (info.name !== '') return one
    const objects = load(info)?.objects ?? 0
    // With a selector the server looks at all objects, whatever the limit.
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

/** A watch that begins with all objects: at resource version 0, without one, or as a watch list. */
const sendsList = (query: URLSearchParams): boolean => query.get('sendInitialEvents') === 'true' || ['', '0', null].includes(query.get('resourceVersion'))
