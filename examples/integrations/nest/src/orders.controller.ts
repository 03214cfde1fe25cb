import { Body, Controller, HttpCode, Post } from "@nestjs/common";
import { OrdersService } from "./orders.service.js";

@Controller("orders")
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @HttpCode(202)
  async order(@Body() { id }: { id: string }) {
    await this.orders.take(id);
    return { id };
  }
}
