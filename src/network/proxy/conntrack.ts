/**
 * Connection tracking of UDP: a client that keeps sending keeps its conntrack entry alive. When an endpoint goes, or the
 * first one comes, stale entries must be deleted, or the client's packets go nowhere.
 */
import type { Logger } from '../../machinery/log.ts'
import { CommandError, isMissing, run as runCommand } from '../host/run.ts'
import type { Front } from './service.ts'

const keyOf = (f: Front) => `${f.ip ?? ''} ${f.protocol} ${f.port}`

/** The arguments of the `conntrack` calls that a change of one service's fronts requires. */
export function staleFlows(before: readonly Front[], now: readonly Front[]): readonly (readonly string[])[] {
  const current = new Map(now.filter((f) => f.protocol === 'udp').map((f) => [keyOf(f), f]))
  const previous = new Map(before.filter((f) => f.protocol === 'udp').map((f) => [keyOf(f), f]))
  const calls: string[][] = []
  const filter = (f: Front) => ['-D', '-p', 'udp', ...(f.ip === undefined ? [] : ['--orig-dst', f.ip]), '--orig-port-dst', String(f.port)]
  for (const [key, old] of previous) {
    const kept = new Set(current.get(key)?.targets.map((t) => t.ip))
    for (const ip of new Set(old.targets.map((t) => t.ip))) if (!kept.has(ip)) calls.push([...filter(old), '--dst-nat', ip])
  }
  for (const [key, f] of current) {
    if (f.targets.length > 0 && !previous.get(key)?.targets.length) calls.push(filter(f))
  }
  return calls
}

export interface FlowCleaner { clean(calls: readonly (readonly string[])[]): Promise<void> }

/** Runs the calls; logs once if the tool is missing. Never fails: a stale entry lasts only until it times out. */
export function createFlowCleaner(log: Logger, run: typeof runCommand = runCommand): FlowCleaner {
  let missing = false
  return {
    async clean(calls) {
      for (const args of calls) {
        if (missing) return
        try {
          await run('conntrack', args)
        } catch (error) {
          if (isMissing(error)) {
            missing = true
            log.warn({}, 'conntrack is not installed: UDP clients of a service may speak to an endpoint that has gone, until their connection times out')
          } else if (!(error instanceof CommandError) || !error.stderr.includes('0 flow entries')) {
            log.warn({ error: String(error) }, 'could not forget UDP connections')
          }
        }
      }
    },
  }
}
