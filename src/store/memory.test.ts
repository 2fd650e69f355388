import { storeContract } from './contract.ts'
import { createMemoryStore } from './memory.ts'

storeContract('memory store', async (clock) => createMemoryStore({ clock }))
