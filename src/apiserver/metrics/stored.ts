/** How many objects there are, by resource: what most dashboards begin with. */
import type { Registry } from 'prom-client'
import type { Resource } from '../../api/index.ts'
import type { ServerEnvironment } from '../options.ts'
import { register } from './series.ts'

/** One entry for each resource that is stored, whatever its versions. */
function* counted({ resources, load }: Pick<ServerEnvironment, 'resources' | 'load'>): Generator<{ readonly resource: Resource; readonly objects: number }> {
  const seen = new Set<string>()
  for (const resource of resources()) {
    const found = seen.has(resource.groupResource) ? undefined : load(resource)
    if (!found) continue
    seen.add(resource.groupResource)
    yield { resource, objects: found.objects }
  }
}

/** Registers the gauges; counted when somebody scrapes. */
export function registerStored(registry: Registry, env: Pick<ServerEnvironment, 'resources' | 'load'>): void {
  register(registry, 'apiserver_resource_objects', 'Stored objects, by resource.', 'gauge', () => [...counted(env)].map(({ resource, objects }) => ({ labels: { group: resource.group, resource: resource.plural }, value: objects })))
  register(registry, 'apiserver_storage_objects', 'The same under its older name.', 'gauge', () => [...counted(env)].map(({ resource, objects }) => ({ labels: { resource: resource.groupResource }, value: objects })))
}
