/** `kubectl get componentstatuses`: long deprecated, still asked for. Computed from the server's own checks. */
import type { ApiObject } from '../../client/client.ts'
import type { VirtualResource } from '../options.ts'
import type { HealthCheck } from './health.ts'

/** One status for each check, by the check's name. */
export function componentStatuses(checks: () => readonly HealthCheck[]): VirtualResource {
  return {
    async list() {
      return Promise.all(checks().map(async ({ name, check }) => {
        const error = await Promise.resolve().then(check).then(() => undefined, (e: unknown) => (e instanceof Error ? e.message : String(e)))
        const condition = error === undefined ? { type: 'Healthy', status: 'True', message: 'ok' } : { type: 'Healthy', status: 'False', message: '', error }
        return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [condition] } as unknown as ApiObject
      }))
    },
  }
}
