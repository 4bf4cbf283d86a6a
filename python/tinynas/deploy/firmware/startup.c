/* Reset: vectors, memory, FPU, then main. */
#include <stdint.h>

extern uint32_t firmware_data_start, firmware_data_end, firmware_data_load, firmware_bss_start, firmware_bss_end;

void firmware_stack_top(void); /* an address, given the type of the vectors */
int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void SysTick_Handler(void);

/* Boards replace these two. */
__attribute__((weak)) void SysTick_Handler(void) {}
__attribute__((weak)) void Fault_Handler(void) {
  for (;;) {
  }
}

__attribute__((noreturn)) void Reset_Handler(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  *(volatile uint32_t*)0xE000ED88 |= 0xFu << 20; /* CPACR: FPU and vectors on */
  __asm__ volatile("dsb\n\tisb");
#endif
  const uint32_t* from = &firmware_data_load;
  for (uint32_t* to = &firmware_data_start; to < &firmware_data_end;) *to++ = *from++;
  for (uint32_t* to = &firmware_bss_start; to < &firmware_bss_end;) *to++ = 0;
  (void)main();
  for (;;) {
  }
}

typedef void (*handler)(void);
__attribute__((section(".vectors"), used)) const handler vectors[16] = {
    firmware_stack_top,
    Reset_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    Fault_Handler,
    0,
    0,
    0,
    Fault_Handler,
    Fault_Handler,
    0,
    Fault_Handler,
    SysTick_Handler,
};
