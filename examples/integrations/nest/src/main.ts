import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { Logger } from "nestjs-pino";
import { register } from "prom-client";
import { registerWith } from "queuescope/prom-client";
import { AppModule } from "./app.module.js";

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { bufferLogs: true });
  app.useLogger(app.get(Logger));
  app.enableShutdownHooks(); // SIGTERM: the server closes, then OrdersService drains
  registerWith(register); // what nestjs-prometheus serves
  await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
  app.get(Logger).log(`listening at ${await app.getUrl()}`);
}

void main();
