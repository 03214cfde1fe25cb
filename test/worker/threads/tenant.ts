import {
  type Context,
  context,
  createContextKey,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";

const TENANT = createContextKey("tenant");

/** A propagator that knows nothing but the tenant. */
export class Tenant implements TextMapPropagator {
  inject(from: Context, carrier: unknown, setter: TextMapSetter): void {
    const tenant = from.getValue(TENANT);
    if (tenant !== undefined) setter.set(carrier, "x-tenant", String(tenant));
  }

  extract(to: Context, carrier: unknown, getter: TextMapGetter): Context {
    return withTenant(to, getter.get(carrier, "x-tenant"));
  }

  fields(): string[] {
    return ["x-tenant"];
  }
}

export function withTenant(to: Context, tenant: unknown): Context {
  return to.setValue(TENANT, tenant);
}

export function tenantOf(): unknown {
  return context.active().getValue(TENANT);
}

/** Context is kept, and passed on by the propagator. */
export function hand(propagator: TextMapPropagator): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(propagator);
}
