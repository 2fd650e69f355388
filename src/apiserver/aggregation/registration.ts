/** API services of what this server has itself: one for each group version, custom ones as they come and go. */
import { apiregistration, type Resource } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import type { Lister } from '../options.ts'
import { isBuiltInGroup, localPriority } from './priorities.ts'

/** Says that the API server looks after the object: `onstart` for what is built in, `true` for what comes and goes. */
export const automanaged = 'kube-aggregator.kubernetes.io/automanaged'

/** The group whose objects these are is always there, without one. */
const ownGroup = 'apiregistration.k8s.io'

type Wanted = Pick<apiregistration.APIService, 'spec'> & { readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> } }

/** The local API services of these resources, by name. */
export function localServices(resources: readonly Resource[]): ReadonlyMap<string, Wanted> {
  const found = new Map<string, Wanted>()
  for (const { group, version } of resources) {
    const name = `${version}.${group}`
    if (group === ownGroup || found.has(name)) continue
    const priority = localPriority(group, version)
    found.set(name, {
      metadata: { name, labels: { [automanaged]: isBuiltInGroup(group) ? 'onstart' : 'true' } },
      spec: { group, version, groupPriorityMinimum: priority.group, versionPriority: priority.version },
    })
  }
  return found
}

const managed = ({ metadata }: apiregistration.APIService): string => metadata.labels?.[automanaged] ?? ''

/**
 * Makes what is missing and, of what is looked after, puts right what differs and removes what is no longer served. With
 * `start` false, what is built in is left as its administrator made it. Objects without the label are somebody else's.
 */
export async function registerLocal(client: Client, services: Lister<apiregistration.APIService>, resources: readonly Resource[], start: boolean): Promise<void> {
  const wanted = localServices(resources)
  const steps: Promise<unknown>[] = []
  for (const [name, service] of wanted) {
    const current = services.get('', name)
    if (service.metadata.labels[automanaged] === 'onstart' && !start) continue
    if (!current) steps.push(client.create(apiregistration.apiservices, service).catch(unless(isAlreadyExists)))
    else if (managed(current) && differs(current, service)) steps.push(client.update(apiregistration.apiservices, { ...current, spec: service.spec }))
  }
  for (const current of services.list()) {
    const { name = '' } = current.metadata
    const gone = !wanted.has(name) && (managed(current) === 'true' || (start && managed(current) === 'onstart'))
    if (gone) steps.push(client.delete(apiregistration.apiservices, name).catch(unless(isNotFound)))
  }
  await Promise.all(steps)
}

const differs = (current: apiregistration.APIService, { spec }: Wanted): boolean =>
  current.spec.service !== undefined || current.spec.groupPriorityMinimum !== spec.groupPriorityMinimum || current.spec.versionPriority !== spec.versionPriority

const unless = (expected: (error: unknown) => boolean) => (error: unknown) => {
  if (!expected(error)) throw error
}
