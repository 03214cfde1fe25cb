import { randomUUID } from "node:crypto";
import { Module } from "@nestjs/common";
import { PrometheusModule } from "@willsoto/nestjs-prometheus";
import { ClsModule, type ClsService } from "nestjs-cls";
import { LoggerModule } from "nestjs-pino";
import pino from "pino";
import { currentCorrelationId } from "queuescope";
import { OrdersController } from "./orders.controller.js";
import { OrdersService } from "./orders.service.js";

interface IncomingRequest {
  readonly headers: Record<string, string | undefined>;
}

@Module({
  imports: [
    ClsModule.forRoot({
      global: true,
      middleware: {
        mount: true,
        generateId: true,
        idGenerator: ({ headers }: IncomingRequest) => headers["x-correlation-id"] ?? randomUUID(),
        setup: (cls: ClsService, { headers }: IncomingRequest) => cls.set("user", headers["x-user"]),
      },
    }),
    LoggerModule.forRoot({
      pinoHttp: {
        mixin: () => ({ correlation_id: currentCorrelationId() }),
        // Nest ends the process by a signal, which leaves pino no time for the lines that it would write later.
        stream: pino.destination({ sync: true }),
      },
    }),
    PrometheusModule.register(), // GET /metrics
  ],
  controllers: [OrdersController],
  providers: [OrdersService],
})
export class AppModule {}
