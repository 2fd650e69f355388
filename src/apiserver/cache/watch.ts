/** Watches: what a watcher sees of the changes, given its selection. */
import { ApiError, expired } from '../../machinery/errors.ts'
import { path, type FieldError } from '../../machinery/field.ts'
import { eachPausing } from '../../machinery/pausing.ts'
import { type ListSource, optionsRefused, parseRevision, selected, waitFor } from './list.ts'
import { Encoded } from './encoded.ts'
import { readHistory } from './history.ts'
import { inTurn } from './in-turn.ts'
import type { CacheEvent, Watcher } from './resource-cache.ts'
import { withMeta, withResourceVersion } from '../registry/meta.ts'
import type { Selection } from './selection.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'

export interface WatchQuery {
  readonly resourceVersion: string
  readonly match: string
  readonly bookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
  /** Of lists; only checked for contradictions. */
  readonly continue?: string
}

/** Where the events of a watch go. */
export interface Sink {
  /** `change` is the source of the event, the same object for all watchers that see it, so that they can share encodings. */
  event(type: EventType, item: Encoded, change: CacheEvent | undefined): void
  /** Called when the events so far are complete up to a revision: a good moment to write. */
  flush(): void
  /** Called at the end; with the error, if it ended with one. */
  end(error?: ApiError): void
  /** Whether the reader is gone. */
  closed?(): boolean
  /** Resolves when there is room for more; undefined: there is. Called during the initial events of a watch. */
  room?(): Promise<void> | undefined
}

/** The deletion of an object that left the selection: its last matching state, at the revision of the change. */
const departed = (change: CacheEvent): Encoded =>
  change.type === 'delete' ? change.current : new Encoded(change.previous!.key, change.revision, withResourceVersion(change.previous!.object, String(change.revision)))

/** The event of `change` for a watcher of the selection; undefined when there is none. */
export function seen(change: CacheEvent, selection: Selection, prefix: string): { readonly type: EventType; readonly item: Encoded } | undefined {
  if (selection.path !== '' && !change.current.key.startsWith(selection.path, prefix.length)) return undefined
  const before = change.previous !== undefined && (selection.all || selection.matches(change.previous.object))
  const now = change.type === 'put' && (selection.all || selection.matches(change.current.object))
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', item: change.current }
  return before ? { type: 'DELETED', item: departed(change) } : undefined
}

const tooOld = (revision: number, horizon: number) => expired(`too old resource version: ${revision} (${horizon})`)

/** Refuses contradicting options of a watch, reporting all at once. Throws `ApiError` 422. */
function checkInitialEvents({ sendInitialEvents, match, resourceVersion, continue: token }: WatchQuery): void {
  const at = path('resourceVersionMatch')
  const wrong: FieldError[] = []
  // A watch from now begins with the existing objects, as if they were requested.
  const begins = sendInitialEvents === undefined && (resourceVersion === '' || resourceVersion === '0')
  if (token && (match || begins)) wrong.push(at.forbidden('resourceVersionMatch is forbidden when continue is provided'))
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') wrong.push(at.forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'))
  if (match) {
    if (sendInitialEvents === undefined) wrong.push(at.forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'))
    if (match !== 'NotOlderThan') wrong.push(at.notSupported(match, ['NotOlderThan']))
  }
  if (wrong.length > 0) throw optionsRefused(wrong)
}

export interface WatchOptions {
  readonly source: ListSource
  readonly selection: Selection
  readonly query: WatchQuery
  readonly sink: Sink
  /** An object of the kind with empty metadata, for bookmarks. */
  readonly blank: Encoded
}

/** A reader that takes the initial events so slowly that this many changes wait behind them lists again. */
const mostWaiting = 100_000

/**
 * Starts a watch: what there is already (where that was asked for), then every change. Resolves with what stops it.
 * Throws `ApiError` 400, 410, 422, 504 before the first event.
 */
export async function watch({ source, selection, query, sink, blank }: WatchOptions): Promise<() => void> {
  checkInitialEvents(query)
  const { objects, cache } = source
  const from = parseRevision(query.resourceVersion)
  if (from > 0) await waitFor(source, from)
  const initial = query.sendInitialEvents ?? from === 0
  let told = cache.revision()
  const see = (change: CacheEvent) => seen(change, selection, objects.prefix)
  const tell = (change: CacheEvent, what = see(change)) => {
    if (!what) return
    told = change.revision
    sink.event(what.type, what.item, change)
  }
  const turns = source.ready && inTurn({ ready: source.ready, see, tell, flush: () => sink.flush(), end: (error) => sink.end(error) })
  const pass = turns ? turns.take : tell
  const bookmark = (revision: number, last: boolean) => sink.event('BOOKMARK', bookmarkAt(blank, revision, last), undefined)
  // Changes that come in while the initial events are told wait for their turn.
  let waiting: CacheEvent[] | undefined = []
  const watcher: Watcher = {
    push(change) {
      if (!waiting) return pass(change)
      if (waiting.push(change) > mostWaiting) sink.end(tooOld(told, cache.revision()))
    },
    flush: () => sink.flush(),
    reset: () => sink.end(tooOld(told, cache.revision())),
    close: () => sink.end(),
  }
  objects.watch(watcher)
  try {
    if (initial) {
      const revision = cache.revision()
      await eachPausing(await initially(source, selection), (item) => {
        sink.event('ADDED', item, undefined)
        return sink.room?.()?.then(() => !sink.closed?.()) ?? !sink.closed?.()
      })
      if (query.bookmarks) bookmark(revision, true)
    } else for (const change of await missedSince(source, from)) pass(change)
  } catch (error) {
    objects.unwatch(watcher)
    throw error
  }
  for (const change of waiting) pass(change)
  waiting = undefined
  sink.flush()

  const stopTicks = query.bookmarks
    ? cache.onTick(() => {
      if (cache.revision() === told || turns?.busy()) return
      told = cache.revision()
      bookmark(told, false)
      sink.flush()
    })
    : undefined
  return () => {
    objects.unwatch(watcher)
    stopTicks?.()
  }
}

/** What has changed since a revision (0: since now). Throws `ApiError` 410 when nobody knows any more. */
async function missedSince(source: ListSource, from: number): Promise<readonly CacheEvent[]> {
  const { objects, cache } = source
  const to = cache.revision()
  const missed = objects.since(from || to) ?? (await readHistory(source, from, to))
  if (!missed) throw tooOld(from, objects.horizon)
  return missed
}

/** What is selected of what there is now. The objects are those of this moment, however long it takes to look at them. */
async function initially({ objects, ready }: ListSource, selection: Selection): Promise<readonly Encoded[]> {
  objects.checkReadable(selection.path)
  const single = selection.single === undefined ? undefined : objects.get(selection.single)
  const found = selection.single === undefined ? objects.slice(selection.path) : single ? [single] : []
  if (ready) await ready(found)
  return selected(found, selection)
}

/** The bookmark of a revision; `last` marks the end of the initial events. */
function bookmarkAt(blank: Encoded, revision: number, last: boolean): Encoded {
  const annotations = last ? { 'k8s.io/initial-events-end': 'true' } : undefined
  return new Encoded('', revision, withMeta(blank.object, { resourceVersion: String(revision), annotations }))
}
