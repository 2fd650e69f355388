/** Denied requests of the cluster's own components: a defect of the component or its role, or misuse of its credential. */
import { Counter } from 'prom-client'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { Identity } from '../identity.ts'
import type { Action } from './authorizer.ts'

/** The same denial is logged once in so many milliseconds. */
const again = 60_000
/** The number of different denials that are remembered. */
const most = 1000
const mostSeries = 200

const components = /^system:(apiserver|kube-[a-z-]+|node:.+|serviceaccount:kube-system:.+)$/

/** Whether the user is a component of the cluster. */
export const isComponent = ({ name }: Identity): boolean => components.test(name)

export interface Refusals {
  /** Called with every denied request; logs and counts those of components. */
  refused(user: Identity, action: Action, reason: string): void
  readonly metric: Counter
}

/** Logs `a component was refused`, with who, what and why. */
export function createRefusals({ clock, log }: { readonly clock: Pick<Clock, 'now'>; readonly log: Logger }): Refusals {
  const said = new Map<string, number>()
  const metric = new Counter({
    name: 'skiff_component_refusals_total', help: 'Requests of components of the cluster that their roles did not allow.', labelNames: ['verb', 'group', 'resource', 'subresource'] as const, registers: [],
  })
  const series = new Set<string>()
  /** A stolen component credential must not be able to create time series at will. */
  const labels = (verb: string, group: string, resource: string, subresource: string) => {
    const key = `${verb} ${group} ${resource} ${subresource}`
    if (series.size >= mostSeries && !series.has(key)) return { verb: 'other', group: '', resource: '', subresource: '' }
    series.add(key)
    return { verb, group, resource, subresource }
  }
  return {
    metric,
    refused(user, action, reason) {
      if (!isComponent(user)) return
      const { verb, group, resource, subresource, namespace, name, path } = action
      metric.inc(labels(verb, group, resource, subresource))
      const key = `${user.name} ${verb} ${group} ${resource} ${subresource} ${path}`
      const now = clock.now()
      if ((said.get(key) ?? -Infinity) > now - again) return
      if (said.size >= most) said.clear()
      said.set(key, now)
      log.warn({ user: user.name, verb, ...(action.isResourceRequest ? { group, resource: subresource ? `${resource}/${subresource}` : resource, namespace, name } : { path }), reason }, 'a component was refused')
    },
  }
}
