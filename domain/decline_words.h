/* decline_words - why a card was declined, in a sentence for its holder, from payment's code. */
#ifndef MP_DECLINE_WORDS_H
#define MP_DECLINE_WORDS_H

/* insufficient_funds → "Your card has insufficient funds or credit." An unknown code, "" or NULL: "Your card was
 * declined." */
const char *decline_in_words(const char *code);

#endif
