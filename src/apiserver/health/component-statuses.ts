/** `kubectl get componentstatuses`: long deprecated, still asked for. Computed from the server's own checks. */
import type { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { VirtualResource } from '../options.ts'
import { nameColumn, printer, text } from '../registry/printing.ts'
import type { Printer } from '../strategy.ts'
import type { HealthCheck } from './health.ts'

const health = ({ conditions }: core.ComponentStatus) => conditions?.find(({ type }) => type === 'Healthy')

const columns = printer<core.ComponentStatus>(
  nameColumn,
  text('Status', 'Whether the component is healthy.', (o) => ({ True: 'Healthy', False: 'Unhealthy' })[health(o)?.status ?? ''] ?? 'Unknown'),
  text('Message', 'What the check said.', (o) => health(o)?.message ?? ''),
  text('Error', 'What was wrong.', (o) => health(o)?.error ?? ''),
)

/** One status for each check, by the check's name. */
export function componentStatuses(checks: () => readonly HealthCheck[]): VirtualResource {
  return {
    printer: columns as unknown as Printer<ApiObject>,
    async list(call) {
      call.warn('v1 ComponentStatus is deprecated in v1.19+')
      return Promise.all(checks().map(async ({ name, check }) => {
        const error = await Promise.resolve().then(check).then(() => undefined, (e: unknown) => (e instanceof Error ? e.message : String(e)))
        const found = error === undefined ? { type: 'Healthy', status: 'True', message: 'ok' } : { type: 'Healthy', status: 'False', message: '', error }
        return { kind: 'ComponentStatus', apiVersion: 'v1', metadata: { name }, conditions: [found] } as unknown as ApiObject
      }))
    },
  }
}
