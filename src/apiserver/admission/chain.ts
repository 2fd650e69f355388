/** The admission chain: every plugin in Kubernetes's order, first all that may change the object, then all that may refuse it. */
import { ApiError, internal } from '../../machinery/errors.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Observe } from '../metrics/series.ts'
import type { AdmissionAttributes, AdmissionChain, AdmissionPlugin } from './admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics, type StepType } from './metrics.ts'
import { createReinvocation, type Reinvocation } from './reinvocation.ts'

/**
 * Plugins run one after the other, each on what the one before it made of the object. The first refusal ends it. Only those that ask
 * somebody are waited for.
 */
export function createAdmissionChain(plugins: readonly AdmissionPlugin[], metrics: AdmissionMetrics = createAdmissionMetrics()): AdmissionChain {
  const mutating = plugins.filter((plugin) => plugin.mutate)
  const hearingOfAll = mutating.filter((plugin) => plugin.hearsOfAll)
  const validating = plugins.filter((plugin) => plugin.validate)
  const admitted = new Map([undefined, ...mutating].map((plugin) => [plugin, createStopwatch(metrics, plugin?.name, 'admit')] as const))
  const validated = new Map([undefined, ...validating].map((plugin) => [plugin, createStopwatch(metrics, plugin?.name, 'validate')] as const))

  const run = async (attributes: AdmissionAttributes, object: ApiObject | undefined, reinvocation: Reinvocation): Promise<ApiObject | undefined> => {
    let current = object === attributes.object ? attributes : { ...attributes, object }
    const all = attributes.operation === 'DELETE' || attributes.operation === 'CONNECT' ? hearingOfAll : mutating
    for (const plugin of all) {
      if (!plugin.handles(current)) continue
      const begun = performance.now()
      try {
        const answer = plugin.mutate!(plugin.hearsOfAll ? { ...current, reinvocation } : current)
        const made = answer instanceof Promise ? await answer : answer
        if (made !== current.object) current = { ...current, object: made }
        admitted.get(plugin)!(current.operation, false, begun)
      } catch (error) {
        admitted.get(plugin)!(current.operation, true, begun)
        throw named(plugin, error)
      }
    }
    return current.object
  }
  const validate = async (attributes: AdmissionAttributes): Promise<void> => {
    for (const plugin of validating) {
      if (!plugin.handles(attributes)) continue
      const begun = performance.now()
      try {
        const answer = plugin.validate!(attributes)
        if (answer instanceof Promise) await answer
        validated.get(plugin)!(attributes.operation, false, begun)
      } catch (error) {
        validated.get(plugin)!(attributes.operation, true, begun)
        throw named(plugin, error)
      }
    }
  }
  return {
    async mutate(attributes) {
      const { first, second, wanted } = createReinvocation()
      return timed(admitted.get(undefined)!, attributes, async () => {
        const object = await run(attributes, attributes.object, first)
        return wanted() ? run(attributes, object, second) : object
      })
    },
    validate: (attributes) => timed(validated.get(undefined)!, attributes, () => validate(attributes)),
  }
}

type Stopwatch = (operation: AdmissionAttributes['operation'], rejected: boolean, begun: number) => void

/** Observes how long a plugin took, or all of them (`name` undefined), since `begun` in milliseconds of `performance.now`. */
function createStopwatch(metrics: AdmissionMetrics, name: string | undefined, type: StepType): Stopwatch {
  const known: Record<string, Observe> = {}
  return (operation, rejected, begun) => {
    const observe = known[rejected ? `!${operation}` : operation] ??= metrics.plugin(name, type, operation, rejected)
    observe((performance.now() - begun) / 1000)
  }
}

async function timed<T>(stopwatch: Stopwatch, { operation }: AdmissionAttributes, run: () => Promise<T>): Promise<T> {
  const begun = performance.now()
  try {
    const result = await run()
    stopwatch(operation, false, begun)
    return result
  } catch (error) {
    stopwatch(operation, true, begun)
    throw error
  }
}

/** What is not an answer for the client becomes one that names the plugin. */
function named(plugin: AdmissionPlugin, error: unknown): unknown {
  if (error instanceof ApiError) return error
  return Object.assign(internal(`admission plugin ${plugin.name}: ${error instanceof Error ? error.message : String(error)}`), { cause: error })
}
