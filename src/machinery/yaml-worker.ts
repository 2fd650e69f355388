/** The thread in which `yaml-json.ts` has long texts read. */
import { parentPort } from 'node:worker_threads'
import { yamlToJsonNow, type Answer } from './yaml-json.ts'

const answer = (text: string, repeated: boolean): Answer => {
  try {
    return yamlToJsonNow(text, repeated)
  } catch (error) {
    return { error: (error as Error).message }
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.on('message', ({ text, repeated }: { readonly text: string; readonly repeated: boolean }) => parentPort?.postMessage(answer(text, repeated)))
